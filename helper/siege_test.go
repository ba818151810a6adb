package helper

import "time"

// siege is how long each part of TestPoison takes.
const siege = 4 * time.Second
