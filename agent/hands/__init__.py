"""Mouse and keyboard. Nothing here acts without a gate, and only `agent.policy` may bring one."""
