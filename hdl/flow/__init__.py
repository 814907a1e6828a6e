"""How beats wait: credits, queues, buffers."""
