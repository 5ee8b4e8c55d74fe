"""Comments: who may post one, and what is made of it.

    form ─▶ token ─▶ posted ─▶ Submission ─ rules, Naive Bayes, the guard's signs, others' opinions ─▶ Decision

Strategy: everything here is arithmetic on what it is given. A comment becomes a ``Submission``; whatever is noticed
about it becomes a ``Reason`` with points and a sentence that a moderator can read; and a ``Decision`` is what they add
up to. Who asks the store, the lessons or a service stands in ``guard.comments``.
"""
