--- `require "lanes.v3"`: Lanes with the 3.x interface, which is the default.

return require "lanes.choice" (3)
