"""What capture and hands share about an X server: the connection, its monitors, its windows."""
