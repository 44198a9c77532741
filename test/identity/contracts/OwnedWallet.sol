// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract wallet (ERC-1271) of one owner, who may hand it to another.
contract OwnedWallet {
    address public owner;

    constructor(address first) {
        owner = first;
    }

    function rotate(address next) external {
        require(msg.sender == owner, "not the owner");
        owner = next;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return signer != address(0) && signer == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
