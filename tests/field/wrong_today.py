# SPDX-License-Identifier: Apache-2.0
"""Situations that are known to be judged wrong: name -> what is wrong. They are shown, and do not fail the step. An empty table is the aim."""
WRONG_TODAY = {}
