/* replay_main.h: the command `km-evaluate replay-race`. */
#ifndef EVALUATE_REPLAY_MAIN_H
#define EVALUATE_REPLAY_MAIN_H

int replay_race_main(int argc, char **argv);

#endif
