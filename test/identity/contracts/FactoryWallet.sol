// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract wallet (ERC-1271) of one owner that says which factory has made it, in one of the ways to say so, or to
/// try to spoil the check with that.
contract FactoryWallet {
    enum Way {
        SAYS_IT,
        REVERTS,
        BURNS_GAS,
        SAYS_NOTHING,
        SAYS_FOUR_BYTES,
        SAYS_TOO_LARGE,
        SAYS_TOO_MUCH
    }

    address public immutable owner;
    Way public immutable way;
    address private immutable maker;

    constructor(address first, Way chosen, address said) {
        owner = first;
        way = chosen;
        maker = said;
    }

    function factory() external view returns (address) {
        if (way == Way.REVERTS) revert("no");
        if (way == Way.BURNS_GAS) assembly { invalid() }
        if (way == Way.SAYS_NOTHING) assembly { return(0, 0) }
        address said = maker;
        if (way == Way.SAYS_FOUR_BYTES) {
            assembly {
                mstore(0, said)
                return(28, 4)
            }
        }
        if (way == Way.SAYS_TOO_LARGE) {
            assembly {
                mstore(0, or(said, shl(160, 1)))
                return(0, 32)
            }
        }
        if (way == Way.SAYS_TOO_MUCH) {
            assembly {
                mstore(0, said)
                return(0, 500000)
            }
        }
        return said;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return signer != address(0) && signer == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
