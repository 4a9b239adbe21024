return 40 + 2
