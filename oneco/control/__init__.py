"""The effect shell: it watches, asks deciders, performs what they decided, and comes back.

Here: cache, informers, queue, the performing of actions, runners' plumbing and the journal. Not
here: any rule about what should happen, and any knowledge of our kinds.
"""
