"""How we find it: two ranked lists over the passages, fused."""
