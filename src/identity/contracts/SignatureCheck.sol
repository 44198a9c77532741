// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Asks an account on the chain whether a signature is its own (ERC-1271), also one that is still to be deployed
/// (ERC-6492). Never deployed itself: its creation code runs inside one eth_call, which changes nothing, and answers
/// (verdict, chain id, factory) in place of a contract's code. It never reverts, whatever the account does: so a node
/// that answers with an error could not check, and nothing else is to be read from its words.
///
/// Verdicts: 0 no, 1 the contract says yes, 2 an account of its own key that has delegated to code (EIP-7702), which
/// is not asked. The factory is what a contract that says yes says has made it, and 0 where it says none: a mere claim.
contract SignatureCheck {
    constructor(
        address account,
        bytes32 hash,
        bytes memory signature,
        address factory,
        bytes memory factoryCall
    ) {
        // Only what is not there yet is deployed: before a contract that is, a stranger's call has no business.
        if (account.code.length == 0 && factory != address(0)) {
            assembly ("memory-safe") {
                // Half of the gas, so that a factory that burns it leaves enough to say no. What it returns is not read.
                pop(call(div(gas(), 2), factory, 0, add(factoryCall, 32), mload(factoryCall), 0, 0))
            }
        }
        bytes memory question = abi.encodeWithSelector(0x1626ba7e, hash, signature);
        assembly {
            mstore(0, 0)
            extcodecopy(account, 0, 0, 2)
            let verdict := 2
            // Code that begins with 0xef01 is the mark of a delegation.
            if iszero(eq(mload(0), shl(240, 0xef01))) {
                // Of what is returned, 32 bytes are read; a sixty-fourth of the gas stays here.
                let done := staticcall(gas(), account, add(question, 32), mload(question), 0, 32)
                let enough := and(done, gt(returndatasize(), 31))
                verdict := and(enough, eq(mload(0), shl(224, 0x1626ba7e)))
            }
            let maker := 0
            if eq(verdict, 1) {
                // factory(). Whatever it does with its half of the gas that is left, the verdict stands.
                mstore(0, shl(224, 0xc45a0155))
                let told := staticcall(div(gas(), 2), account, 0, 4, 0, 32)
                // What does not fit into an address is none.
                if and(and(told, gt(returndatasize(), 31)), iszero(shr(160, mload(0)))) { maker := mload(0) }
            }
            mstore(0, verdict)
            mstore(32, chainid())
            mstore(64, maker)
            return(0, 96)
        }
    }
}
