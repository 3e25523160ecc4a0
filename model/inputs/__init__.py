"""Files that people attach, decoded: pictures, videos, PDF documents."""
