--- The native module, under its name in Lanes 3.x.
return require "lanes_core"
