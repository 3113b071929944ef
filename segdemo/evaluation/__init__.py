"""Judging several networks on the same pictures: label spaces, scores, costs, reports. Values only; no page is drawn here.

candidate, label_space, data_set ─▶ evaluate (scoring, tally) ─▶ scores ─▶ report
                                                └─▶ annotations ─▶ exporting
"""
