"""The agent's page: what is to be done, how far it got, and every run there was."""
