"""Several processes behind one address: started, watched, replaced, and told of as one."""
