package engine

// greet settles, once for each connection, which address of ours the client connected to: of
// a port that listens on all addresses only the kernel can tell.
func (t *transaction) greet() stage {
	c := t.client
	if c.served == 1 && c.connection.Local.Addr().IsUnspecified() {
		local, _, err := c.fd.Names()
		if err != nil {
			return t.fail(ClientGone, ClientSide, err)
		}
		c.connection.Local = local
	}
	t.request.Local = c.connection.Local
	return reading
}
