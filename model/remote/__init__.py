"""What `model.client.Endpoint` needs to speak with a server."""
