// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Asks an account on the chain whether a signature is its own (ERC-1271), also one that is still to be deployed
/// (ERC-6492). Never deployed itself: its creation code runs inside one eth_call, which changes nothing, and answers
/// (verdict, chain id) in place of a contract's code. It never reverts, whatever the account does: so a node that
/// answers with an error could not check, and nothing else is to be read from its words.
///
/// Verdicts: 0 no, 1 the contract says yes, 2 an account of its own key that has delegated to code (EIP-7702), which
/// is not asked.
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
            mstore(0, verdict)
            mstore(32, chainid())
            return(0, 64)
        }
    }
}
