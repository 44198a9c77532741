// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token that keeps a tenth of each transfer for itself and logs the whole of it, as fee-on-transfer tokens do.
contract FeeToken {
    string public constant name = "Fee Token";
    string public constant symbol = "FEE";
    uint8 public constant decimals = 6;

    mapping(address account => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) public returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value - value / 10;
        balanceOf[address(this)] += value / 10;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    /// @notice The same transfer several times in one transaction.
    function transferTimes(address to, uint256 value, uint256 times) external {
        for (uint256 index = 0; index < times; index++) transfer(to, value);
    }
}
