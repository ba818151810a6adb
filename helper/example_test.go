package helper_test

import (
	"fmt"

	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// asker asks one question and ends the pool when it is answered.
type asker struct {
	pool     *helper.Pool
	waker    *loop.Waker
	question *helper.Question
}

// Run is called by the loop when the waker was woken.
func (a *asker) Run() {
	line, done, err := a.question.Answer()
	if !done {
		return // woken again
	}
	fmt.Printf("%s, error %v\n", line, err)
	a.question.Cancel() // line is not valid any more
	a.question = nil
	a.pool.Close(true)
}

// A pool of one child, which is a shell and answers each line with a redirection.
func Example() {
	kernel, err := loop.Linux()
	if err != nil {
		panic(err)
	}
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	defer l.Close()

	program := `while read -r channel url rest; do echo "$channel OK status=302 url=https://$url"; done`
	a := &asker{pool: helper.NewPool(l, helper.Config{
		Argv: []string{"/bin/sh", "-c", program}, Children: 1, Concurrency: 10, Retries: 2,
	})}
	a.waker = l.NewWaker(a)
	a.question = a.pool.Ask([]byte("www.example.com/ 192.0.2.1"), a.waker)

	for !a.pool.Closed() {
		l.Turn(true)
	}
	// Output: OK status=302 url=https://www.example.com/, error <nil>
}

// Eight children are divided among three workers.
func ExampleConfig_Share() {
	c := helper.Config{Argv: []string{"/usr/bin/rewrite"}, Children: 8, Startup: 4}
	for worker := range 3 {
		share := c.Share(worker, 3)
		fmt.Println(share.Children, share.Startup)
	}
	// Output:
	// 3 2
	// 3 2
	// 2 2
}
