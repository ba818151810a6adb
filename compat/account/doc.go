// Package account knows the user whom the proxy becomes (cache_effective_user): it looks him up, opens
// files with his rights while the proxy is still root, and tells what he may run.
//
// A folder in which he can write is his: he can put a link to any file there, and root would follow
// it. So root opens files of the configuration as he would. Where he may not open one, root does
// so itself if nobody but root can change any folder on the way.
//
// A User is not changed once it was made; everything here is for any goroutine. Open blocks if the disk
// does. Nothing of the process changes: other rights are taken by one thread, for one call.
package account
