/* Deep objects: under the name that modules written for Lanes 3.x include. */
#include "lanes.h"
