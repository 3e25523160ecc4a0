"""Do it once by hand: what was clicked and typed becomes steps whose targets are described in words."""
