--- `require "lanes.v4"`: Lanes with the 4.x interface (docs/manual/v4.md).

return require "lanes.choice" (4)
