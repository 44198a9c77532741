// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract wallet (ERC-1271) of one passkey: signatures are WebAuthn assertions, longer than any key's own.
contract PasskeyWallet {
    bytes32 public immutable x;
    bytes32 public immutable y;

    constructor(bytes32 publicX, bytes32 publicY) {
        x = publicX;
        y = publicY;
    }

    /// The signature is (authenticator data, client data before the challenge, client data after it, r, s), and the
    /// challenge is the hash in lower-case hexadecimal.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (bytes memory authenticator, bytes memory before, bytes memory behind, bytes32 r, bytes32 s) =
            abi.decode(signature, (bytes, bytes, bytes, bytes32, bytes32));
        bytes32 client = sha256(abi.encodePacked(before, hexadecimal(hash), behind));
        bytes32 signed = sha256(abi.encodePacked(authenticator, client));
        // P256VERIFY (RIP-7212, EIP-7951)
        (bool done, bytes memory answer) = address(0x100).staticcall(abi.encode(signed, r, s, x, y));
        bool valid = done && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
        return valid ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    function hexadecimal(bytes32 value) private pure returns (bytes memory text) {
        text = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            uint8 digit = uint8(value[i / 2]);
            digit = i % 2 == 0 ? digit >> 4 : digit & 15;
            text[i] = bytes1(digit + (digit < 10 ? 48 : 87));
        }
    }
}
