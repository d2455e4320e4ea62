#include "sim.h"
int sim_scale(void){return 2;}
int sim_cost(void){return 2;}
