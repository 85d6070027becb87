"""The selective scan: one specification (`reference`), several equal forms.

Nothing is imported here: the path of a scan and the plugins are used where there is no torch.
"""
