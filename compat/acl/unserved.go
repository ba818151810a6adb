package acl

// unserved is an acl of a type that is not served yet. Only lines without an effect here may name it, such as those of
// snmp_access: its values are not read, and it is never matched.
type unserved struct{ simple }

func (*unserved) add(*values) error { return nil }

func (*unserved) empty() bool { return false }

func (*unserved) match(*Place) outcome { panic("BUG: an acl of a type that is not served is matched") }
