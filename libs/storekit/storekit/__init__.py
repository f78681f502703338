"""The platform's database: its tables, their migrations, and the way to them."""
