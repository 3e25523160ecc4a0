"""How models of other families say what to do: UI-TARS strings and tool calls in JSON."""
