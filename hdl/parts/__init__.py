"""Parts that know nothing of softmax: adders, shifters, memories, pipelines."""
