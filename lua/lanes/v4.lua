--- `require "lanes.v4"`: Lanes with the 4.x interface (docs/manual/v4.md).

require "lanes_core".four().choose(4)

return require "lanes"
