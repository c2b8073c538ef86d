"""A stand-in for Amazon ECS: one service whose tasks are processes of this machine.

It keeps as many as it is asked for, and stops none that protects itself, as ECS does. A deploy
starts new ones beside those of before.
"""
