"""CEL rules in the schemas of custom resources: `x-kubernetes-validations`.

Rules are compiled and evaluated by Google's own CEL library (cel-expr-python); here is what
Kubernetes adds to it: types out of a schema, functions, transitions, and the words of a breach.
Nothing here is imported before a definition has a rule.
"""
