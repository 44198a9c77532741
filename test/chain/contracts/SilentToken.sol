// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token whose transfer returns nothing, and whose symbol is one word, as those of the oldest tokens.
contract SilentToken {
    bytes32 public constant name = "Silent Token";
    bytes32 public constant symbol = "SIL";
    uint256 public constant decimals = 6;

    mapping(address account => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}
