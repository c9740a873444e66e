"""Everything that travels between processes or is promised to others: pydantic models, validated once at the edge."""
