"""What an image stands for: a name mapped to a command of this machine. Nothing is downloaded.

``reference`` reads names of images as registries do, ``table`` keeps which command a name means, ``built_in`` holds the
images that every sandbox has, ``programs`` the servers behind them. It knows nothing of pods.
"""
