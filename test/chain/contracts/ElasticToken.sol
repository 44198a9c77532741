// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token whose balances change without a transfer, as those of rebasing tokens do.
contract ElasticToken {
    string public constant name = "Elastic Token";
    string public constant symbol = "ELA";
    uint8 public constant decimals = 6;

    mapping(address account => uint256) private shares;
    uint256 private percent = 100;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function balanceOf(address account) external view returns (uint256) {
        return shares[account] * percent / 100;
    }

    function mint(address to, uint256 value) external {
        shares[to] += value * 100 / percent;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        shares[msg.sender] -= value * 100 / percent;
        shares[to] += value * 100 / percent;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    /// @notice Makes a share worth so many hundredths of what it was worth in the beginning.
    function rebase(uint256 to) external {
        percent = to;
    }
}
