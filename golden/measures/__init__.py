"""What results show: errors, and what explains them."""
