package auth

import (
	"time"

	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Digest is auth_param digest (RFC 7616, with MD5).
type Digest struct {
	Program
	MaxDuration time.Duration // nonce_max_duration
	MaxCount    int           // nonce_max_count
	Strict      bool          // nonce_strictness: counts may not leave any out
	CheckCount  bool          // check_nonce_count
	PostAsGet   bool          // post_workaround

	nonces *nonces // of all workers
}

// newDigest is Squid's where a configuration says nothing.
func newDigest() *Digest {
	return &Digest{Program: newProgram(), MaxDuration: 30 * time.Minute, MaxCount: 50, CheckCount: true, nonces: newNonces()}
}

// set implements scheme.
func (d *Digest) set(c *directive.Context, args *conf.Args, parameter string) (known bool, err error) {
	switch parameter {
	case "nonce_garbage_interval": // there is nothing to collect
		_, err = args.Time(0)
	case "nonce_max_duration":
		d.MaxDuration, err = args.Time(0)
	case "nonce_max_count":
		if d.MaxCount, err = args.Int(); d.MaxCount < 0 {
			c.Say(1, "WARNING: auth_param digest nonce_max_count %d: no response is good, as with 0", d.MaxCount)
		}
	case "nonce_strictness":
		d.Strict, err = args.Bool()
	case "check_nonce_count":
		d.CheckCount, err = args.Bool()
	case "post_workaround":
		d.PostAsGet, err = args.Bool()
	default:
		return false, nil
	}
	return true, err
}

// prover implements scheme.
func (d *Digest) prover(p *Policy, services engine.Services) prover {
	name := PoolName("digest")
	pool := services.Pools[name]
	return &digestProver{Digest: d, policy: p, pool: pool, load: children.NewLoad(name, &d.Children, pool, services), loop: services.Loop,
		users: newKnown[*digestUser](services.Loop, p.settings.GarbageInterval)}
}
