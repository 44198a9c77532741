// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract that answers ERC-1271 in one of the ways that are no answer, or too easy a one.
contract OddWallet {
    enum Way {
        SAYS_YES,
        REVERTS,
        BURNS_GAS,
        SAYS_NOTHING,
        SAYS_FOUR_BYTES,
        SAYS_TRUE,
        SAYS_TOO_MUCH
    }

    Way public immutable way;

    constructor(Way chosen) {
        way = chosen;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        if (way == Way.REVERTS) revert("no");
        if (way == Way.BURNS_GAS) assembly { invalid() }
        if (way == Way.SAYS_NOTHING) assembly { return(0, 0) }
        if (way == Way.SAYS_FOUR_BYTES) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (way == Way.SAYS_TRUE) {
            assembly {
                mstore(0, 1)
                return(0, 32)
            }
        }
        if (way == Way.SAYS_TOO_MUCH) assembly { return(0, 500000) }
        return 0x1626ba7e;
    }
}
