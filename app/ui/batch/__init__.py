"""The batch page: many pictures × instructions, watched while they are answered and looked into afterwards."""
