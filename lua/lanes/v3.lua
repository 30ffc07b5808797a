--- `require "lanes.v3"`: Lanes with the 3.x interface, which is the default.

require "lanes_core".four().choose(3)

return require "lanes"
