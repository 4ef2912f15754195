"""What ``manage.py doctor`` looks at: a deployment from inside (``inside``) and from outside (``outside``)."""
