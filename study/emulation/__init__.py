"""The units in torch beside torch's float functions: the same bits as golden first, then time."""
