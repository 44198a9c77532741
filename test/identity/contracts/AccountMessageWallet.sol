// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract wallet (ERC-1271) as thirdweb's accounts are: what its owner signs is not the text's hash but the
/// EIP-712 message `AccountMessage(bytes message)` around it, in the domain `Account`, version 1, of chain and account.
contract AccountMessageWallet {
    address public owner;

    constructor(address first) {
        owner = first;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address signer = ecrecover(
            digestOf(hash), uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
        );
        return signer != address(0) && signer == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    function digestOf(bytes32 hash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Account"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        bytes32 message = keccak256(abi.encode(keccak256("AccountMessage(bytes message)"), keccak256(abi.encode(hash))));
        return keccak256(abi.encodePacked("\x19\x01", domain, message));
    }
}
