/* replay_main.h: the command `km-generate replay`. */
#ifndef GENERATE_REPLAY_MAIN_H
#define GENERATE_REPLAY_MAIN_H

int replay_main(int argc, char **argv);

#endif
