"""Training and evaluation screens of real Qt windows; here because Qt is imported nowhere but in `app`."""
