--- The native module under the name that it has in the 3.x interface.
return require "lanes_core"
