# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Python functions over indices become text of Girih's languages.

=============  =====================================================================
context        which function is traced; refusals with the user's line
proxy          what stand-ins refuse: truth values, numbers, loops
integers       integer expressions without cases
numbers        the stand-ins: Index, Bool, Float, rows of tables
operations     Python values as expressions; comparisons, choices, lookups
functions      numpy's, torch's and girih's functions on stand-ins
tracer         captured arrays as tables; calls the function
=============  =====================================================================
"""
