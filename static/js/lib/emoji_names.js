// @ts-check

// What emoji are called, as Unicode, its locale data and other chats call them, by group; what comes behind a bar is
// not a name, but found by. A language's own words (emoji_words_*.js) have a line for each of these, in this order.
export default `#faces
😀 grinning grinning_face|cheerful cheery
😃 smiley grinning_face_with_big_eyes|awesome happy
😄 smile grinning_face_with_closed_eyes|happy laugh
😁 grin beaming_face|eye eyes
😆 laughing satisfied lol|closed eyes
😅 sweat_smile grinning_face_with_sweat|cold dejected
🤣 rofl|crying face
😂 joy lmao tears_of_joy|crying face
🙂 slightly_smiling_face|happy smile
🙃 upside_down_face|hehe smile
🫠 melting_face melt|disappear dissolve
😉 wink winking_face|flirt heartbreaker
😊 blush smiling_face_with_closed_eyes|glad satisfied
😇 innocent halo|angel angelic
🥰 smiling_face_with_three_hearts smiling_face_with_3_hearts|adore crush
😍 heart_eyes smiling_face_with_heart_eyes|bae
🤩 star_struck|excited eyes
😘 kissing_heart blowing_a_kiss|adorbs bae
😗 kissing kissing_face|date
☺️ relaxed smiling_face|happy outlined
😚 kissing_closed_eyes kissing_face_with_closed_eyes|bae
😙 kissing_smiling_eyes kissing_face_with_smiling_eyes|closed
🥲 smiling_face_with_tear|glad grateful
😋 yum savoring_food|delicious eat
😛 stuck_out_tongue face_with_tongue|awesome cool
😜 stuck_out_tongue_winking_eye|crazy epic
🤪 zany_face zany|crazy eye
😝 stuck_out_tongue_closed_eyes|face gross
🤑 money_mouth_face|paid
🤗 hugs hug hugging|face hands
🤭 hand_over_mouth face_with_hand_over_mouth|giggle giggling
🫢 face_with_open_eyes_and_hand_over_mouth face_with_open_eyes_hand_over_mouth gasp|amazement awe
🫣 face_with_peeking_eye peek|captivated embarrass
🤫 shushing_face shush|quiet shh
🤔 thinking thinking_face wtf|chin consider
🫡 saluting_face salute|good luck
🤐 zipper_mouth_face zipper_mouth|keep quiet
🤨 raised_eyebrow face_with_raised_eyebrow|disapproval disbelief
😐 neutral_face neutral|awkward blank
😑 expressionless expressionless_face|awkward dead
😶 no_mouth|awkward blank
🫥 dotted_line_face|depressed disappear
😏 smirk smirking smirking_face|boss dapper
😒 unamused unamused_face|bored
🙄 roll_eyes rolling_eyes|eyeroll face
😬 grimacing grimacing_face|awk awkward
🤥 lying_face lying|liar lie
🫨 shaking_face shaking|crazy daze
😌 relieved relieved_face|calm peace
😔 pensive pensive_face|awful bored
😪 sleepy sleepy_face|crying good
🤤 drooling_face drooling
😴 sleeping sleeping_face|bed bedtime
🫩 face_with_eye_bags|bored exhausted
😷 mask medical_mask|cold dentist
🤒 face_with_thermometer|ill sick
🤕 face_with_head_bandage|hurt
🤢 nauseated_face nauseated|gross nasty
🤮 vomiting_face face_vomiting vomiting|barf
🤧 sneezing_face sneezing|fever flu
🥵 hot_face hot|dying feverish
🥶 cold_face cold|blue
🥴 woozy_face woozy|dizzy drunk
😵 dizzy_face knocked_out|dead
🤯 exploding_head|blown explode
🤠 cowboy_hat_face cowboy cowboy_face|cowgirl
🥳 partying_face hooray partying|bday birthday
🥸 disguised_face disguised|eyebrow glasses
😎 sunglasses smiling_face_with_sunglasses sunglasses_cool|awesome beach
🤓 nerd_face nerd|brainy clever
🧐 monocle_face face_with_monocle|classy fancy
😕 confused confused_face|befuddled confusing
🫤 face_with_diagonal_mouth|confused confusion
😟 worried worried_face|anxious butterflies
🙁 slightly_frowning_face|sad
😮 open_mouth face_with_open_mouth|believe forgot
😯 hushed hushed_face|epic omg
😲 astonished astonished_face|cost
😳 flushed flushed_face|amazed awkward
🥺 pleading_face pleading|begging big
🥹 face_holding_back_tears watery_eyes|admiration aww
😦 frowning frowning_face|caught guard
😧 anguished anguished_face|forgot scared
😨 fearful fearful_face|afraid anxious
😰 cold_sweat anxious anxious_face|blue eek
😥 disappointed_relieved sad_relieved_face|anxious call
😢 cry crying_face|awful feels
😭 sob loudly_crying_face|bawling sad
😱 scream screaming_in_fear|epic face
😖 confounded confounded_face|annoyed confused
😣 persevere persevering_face|concentrate concentration
😞 disappointed disappointed_face|awful blame
😓 sweat downcast_face|close cold
😩 weary weary_face|crying fail
😫 tired_face tired|cost feels
🥱 yawning_face yawn yawning|bedtime bored
😤 triumph nose_steam|anger angry
😡 pout rage pouting_face|anger angry
😠 angry angry_face|anger blame
🤬 cursing_face censored face_with_symbols_on_mouth|cussing mad
😈 smiling_imp|demon devil
👿 imp angry_imp|demon devil
💀 skull|body dead
💩 poop pile_of_poo|comic
🤡 clown_face clown
👹 japanese_ogre ogre|creature devil
👺 japanese_goblin goblin|angry creature
👻 ghost|boo creature
👽 alien|creature extraterrestrial
🤖 robot robot_face|monster
😺 smiley_cat grinning_cat|animal face
😸 smile_cat grinning_cat_with_closed_eyes|animal face
😹 joy_cat tears_of_joy_cat|animal face
😻 heart_eyes_cat smiling_cat_with_heart_eyes|animal face
😼 smirk_cat wry_smile_cat|animal face
😽 kissing_cat|animal closed
🙀 scream_cat weary_cat|animal face
😿 crying_cat_face crying_cat|animal sad
😾 pouting_cat|animal face
🙈 see_no_evil|embarrassed face
🙉 hear_no_evil|animal ears
🙊 speak_no_evil|animal face
#people
👋 wave waving_hand|bye cya
🤚 raised_back_of_hand|backhand
✋ hand raised_hand high_five|stop
🖖 vulcan_salute vulcan|finger hand
🫱 rightwards_hand|handshake hold
🫲 leftwards_hand|handshake hold
👌 ok_hand|awesome bet
🤌 pinched_fingers pinch|gesture hand
🤏 pinching_hand|amount bit
✌️ v victory victory_hand|peace
🤞 crossed_fingers fingers_crossed|hand luck
🫰 hand_with_index_finger_and_thumb_crossed|expensive
🤟 love_you_gesture|fingers hand
🤘 metal sign_of_the_horns|finger hand
🤙 call_me_hand|hang loose
👈 point_left|backhand finger
👉 point_right|backhand finger
👆 point_up_2 point_up|backhand finger
👇 point_down|backhand finger
☝️ index_pointing_up|finger hand
👍 +1 thumbsup yes|good hand
👎 -1 thumbsdown no|bad dislike
✊ fist fist_raised raised_fist|clenched hand
👊 facepunch fist_oncoming punch|absolutely agree
🤛 fist_left left_facing_fist|leftwards
🤜 fist_right right_facing_fist|rightwards
👏 clap clapping_hands|applause approval
🙌 raised_hands raising_hands|celebration gesture
🫶 heart_hands|love
👐 open_hands|hug jazz
🤲 palms_up_together|cupped dua
🤝 handshake|agreement deal
🙏 pray folded_hands|appreciate ask
✍️ writing_hand|write
💅 nail_care nail_polish|bored cosmetics
🤳 selfie|camera phone
💪 muscle right_bicep flexed_biceps|arm beast
🧠 brain|intelligent smart
👀 eyes|body face
👁️ eye|body
👄 lips mouth|beauty body
🫦 biting_lip|anxious bite
👶 baby|babies children
🧒 child|grandchild
👦 boy|child
👧 girl|child
🧑 adult person
👨 man|adult bro
👩 woman|adult lady
🧓 older_adult older_person|elderly grandparent
👴 older_man old_man|adult bald
👵 older_woman old_woman|adult elderly
🙅 no_good person_gesturing_no|forbidden gesture
🙆 ok_person all_good person_gesturing_ok|exercise gesture
💁 information_desk_person tipping_hand_person person_tipping_hand|fetch flick
🙋 raising_hand person_raising_hand|gesture here
🧏 deaf_person|accessibility ear
🙇 bow person_bowing|apology ask
🤦 facepalm person_facepalming|again bewilder
🤷 shrug person_shrugging|doubt dunno
👮 cop police_officer|apprehend arrest
🕵️ detective|sleuth spy
👷 construction_worker|build fix
🤴 prince|crown fairy
👸 princess|crown fairy
👰 person_with_veil|wedding
🤵 person_in_tuxedo|formal wedding
🤰 pregnant_woman
👼 angel baby_angel|church face
🎅 santa santa_claus|celebration christmas
🦸 superhero|good superpower
🧙 mage|fantasy magic
🧚 fairy|fairytale fantasy
🧜 merperson|creature fairytale
🧟 zombie|apocalypse dead
🚶 walking person_walking|amble gait
🏃 runner running person_running|fast hurry
💃 dancer woman_dancing|elegant festive
🕺 man_dancing|dance dancer
🧗 climbing person_climbing|climber mountain
🏄 surfer person_surfing surfing|beach ocean
🏊 swimmer person_swimming swimming|freestyle sport
🚴 bicyclist biking person_biking|bicycle bike
🧘 lotus_position person_in_lotus_position|cross legged
🛀 bath person_taking_bath|bathtub tub
🛌 sleeping_bed person_in_bed sleeping_accommodation|bedtime good
👪 family|child
🗣️ speaking_head|face silhouette
👤 bust_in_silhouette|mysterious shadow
👥 busts_in_silhouette|bff everyone
👣 footprints|barefoot clothing
#nature
🐶 dog dog_face|adorbs animal
🐱 cat cat_face|animal kitten
🐭 mouse mouse_face|animal
🐹 hamster hamster_face|animal pet
🐰 rabbit rabbit_face|animal bunny
🦊 fox_face fox|animal
🐻 bear bear_face|animal grizzly
🐼 panda_face panda|animal bamboo
🐨 koala koala_face|animal australia
🐯 tiger tiger_face|animal big
🦁 lion lion_face|alpha animal
🐮 cow cow_face|animal farm
🐷 pig pig_face|animal bacon
🐸 frog frog_face|animal
🐵 monkey_face|animal banana
🐔 chicken chicken_face|animal bird
🐧 penguin penguin_face|animal antarctica
🐦 bird bird_face|animal ornithology
🐤 baby_chick|animal bird
🦆 duck|animal bird
🦅 eagle|animal bird
🦉 owl|animal bird
🦇 bat|animal vampire
🐺 wolf wolf_face|animal
🐗 boar|animal pig
🐴 horse horse_face|animal dressage
🦄 unicorn unicorn_face
🐝 bee honeybee|animal bumblebee
🐛 bug|animal garden
🦋 butterfly|insect pretty
🐌 snail|animal escargot
🐞 lady_beetle|animal garden
🐜 ant|animal garden
🕷️ spider|animal insect
🦂 scorpion|scorpius zodiac
🐢 turtle|animal terrapin
🐍 snake|animal bearer
🦎 lizard|animal reptile
🦖 t-rex trex t_rex|dinosaur tyrannosaurus
🐙 octopus|animal creature
🦑 squid|animal food
🦐 shrimp|food shellfish
🦞 lobster|animal bisque
🦀 crab|cancer zodiac
🐡 blowfish|animal
🐠 tropical_fish|animal fishes
🐟 fish|animal dinner
🐬 dolphin flipper|animal beach
🐳 whale spouting_whale|animal beach
🐋 whale2|animal beach
🦈 shark|animal fish
🐊 crocodile|animal zoo
🐅 tiger2|animal big
🐆 leopard|animal big
🦓 zebra|animal stripe
🐘 elephant|animal
🦛 hippopotamus hippo|animal
🐪 dromedary_camel camel|animal desert
🦒 giraffe|animal spots
🦘 kangaroo|animal joey
🐃 water_buffalo|animal zoo
🐎 racehorse|animal equestrian
🐑 sheep ewe|animal baa
🦙 llama|alpaca animal
🐐 goat|animal capricorn
🦌 deer|animal
🐕 dog2|animal animals
🐈 cat2|animal animals
🐓 rooster|animal bird
🦃 turkey|bird gobble
🦚 peacock|animal bird
🦜 parrot|animal bird
🦢 swan|animal bird
🦩 flamingo|animal bird
🕊️ dove|bird fly
🐇 rabbit2|animal bunny
🦝 raccoon|animal curious
🦦 otter|animal fishing
🦥 sloth|lazy slow
🐿️ chipmunk|animal squirrel
🦔 hedgehog|animal spiny
🐾 feet paw_prints|paws
🐉 dragon|animal fairy
🌵 cactus|desert drought
🎄 christmas_tree|celebration
🌲 evergreen_tree|christmas forest
🌳 deciduous_tree|forest green
🌴 palm_tree|beach plant
🌱 seedling|plant sapling
🌿 herb|leaf plant
☘️ shamrock|irish plant
🍀 four_leaf_clover
🎍 bamboo|celebration decoration
🪴 potted_plant|decor grow
🍃 leaves|blow flutter
🍂 fallen_leaf|autumn falling
🍁 maple_leaf|falling
🍄 mushroom|fungus toadstool
🐚 shell spiral_shell|animal beach
💐 bouquet|anniversary birthday
🌷 tulip|blossom flower
🌹 rose|beauty elegant
🥀 wilted_flower|dying
🌺 hibiscus|flower plant
🌸 cherry_blossom|flower plant
🌼 blossom|buttercup dandelion
🌻 sunflower|outdoors plant
🌞 sun_with_face|beach bright
🌝 full_moon_with_face full_moon_face|bright
🌚 new_moon_with_face new_moon_face|space
🌙 crescent_moon|ramadan space
🌎 earth_americas|globe showing
⭐ star|astronomy medium
🌟 star2 glowing_star|glittery night
✨ sparkles|magic
⚡ zap high_voltage|danger electric
☄️ comet|space
💥 boom collision|bomb collide
🔥 fire|burn
🌪️ tornado|cloud weather
🌈 rainbow|gay genderqueer
☀️ sunny sun|bright rays
⛅ partly_sunny sun_behind_cloud|cloudy weather
☁️ cloud|weather
🌧️ cloud_with_rain rainy|weather
⛈️ cloud_with_lightning_and_rain stormy thunder_cloud_and_rain|thunderstorm
❄️ snowflake|cold weather
☃️ snowman_with_snow snowman2 snowman|cold
⛄ snowman_without_snow|cold
🌬️ wind_face wind_blowing_face|cloud
💨 dash dashing_away|cloud comic
💧 droplet|cold comic
💦 sweat_drops sweat_droplets|comic drip
☔ umbrella umbrella_with_rain|clothing drop
🌊 ocean water_wave|nature surf
#food
🍏 green_apple|fruit
🍎 apple red_apple|diet food
🍐 pear|fruit
🍊 mandarin orange tangerine|citrus
🍋 lemon|citrus fruit
🍌 banana|fruit potassium
🍉 watermelon|fruit
🍇 grapes|dionysus fruit
🍓 strawberry|fruit
🫐 blueberries|berry bilberry
🍒 cherries|berries cherry
🍑 peach|fruit
🥭 mango|food fruit
🍍 pineapple|colada fruit
🥥 coconut|colada palm
🥝 kiwi_fruit kiwi|food
🍅 tomato|food fruit
🍆 eggplant|aubergine vegetable
🥑 avocado|food fruit
🥦 broccoli|cabbage wild
🥬 leafy_green|bok burgers
🥒 cucumber|food pickle
🌶️ hot_pepper
🌽 corn ear_of_corn|crops farm
🥕 carrot|food vegetable
🧄 garlic|flavoring
🧅 onion|flavoring
🥔 potato|food vegetable
🍠 sweet_potato|food roasted
🥐 croissant|bread breakfast
🥯 bagel|bakery bread
🍞 bread|carbs food
🥖 baguette_bread|food french
🥨 pretzel|convoluted twisted
🧀 cheese cheese_wedge
🥚 egg|breakfast food
🍳 fried_egg cooking|breakfast easy
🥞 pancakes|breakfast
🧇 waffle|breakfast indecisive
🥓 bacon|breakfast food
🍗 poultry_leg|bone chicken
🍖 meat_on_bone
🌭 hotdog hot_dog|frankfurter sausage
🍔 hamburger|eat fast
🍟 fries french_fries|fast food
🍕 pizza|cheese food
🥪 sandwich|bread
🥙 stuffed_flatbread|falafel food
🌮 taco|mexican
🌯 burrito|mexican wrap
🥗 green_salad salad|food
🍝 spaghetti|food meatballs
🍜 ramen steaming_bowl|chopsticks food
🍲 stew pot_of_food|soup
🍛 curry curry_rice|food
🍣 sushi|food
🍱 bento bento_box|food
🥟 dumpling|empanada
🍤 fried_shrimp|prawn tempura
🍙 rice_ball|food japanese
🍚 rice cooked_rice|food
🍘 rice_cracker|food
🍥 fish_cake|food pastry
🍢 oden|food kebab
🍡 dango|dessert japanese
🍧 shaved_ice|dessert restaurant
🍨 ice_cream|dessert food
🍦 icecream soft_serve soft_ice_cream|dessert food
🥧 pie|apple filling
🧁 cupcake|bakery dessert
🍰 cake shortcake|dessert pastry
🎂 birthday birthday_cake|bday celebration
🍮 custard|dessert pudding
🍭 lollipop|candy dessert
🍬 candy|cavities dessert
🍫 chocolate_bar|candy dessert
🍿 popcorn|movie
🍩 doughnut|breakfast dessert
🍪 cookie|chip chocolate
🌰 chestnut|almond plant
🥜 peanuts|food vegetable
🍯 honey_pot|barrel bear
🥛 milk_glass glass_of_milk milk|drink
☕ coffee hot_beverage|cafe caffeine
🫖 teapot|brew drink
🍵 tea|beverage cup
🧃 beverage_box juice_box|straw sweet
🥤 cup_with_straw|drink juice
🧋 bubble_tea boba_drink|food milk
🍶 sake|bar beverage
🍺 beer beer_mug|alcohol ale
🍻 beers|alcohol bar
🥂 clinking_glasses|celebrate drink
🍷 wine_glass|alcohol bar
🥃 tumbler_glass whisky|liquor scotch
🍸 cocktail cocktail_glass|alcohol bar
🍹 tropical_drink|alcohol bar
🍾 champagne|bar bottle
🧊 ice_cube ice|cold iceberg
🥢 chopsticks|hashi jeotgarak
🍽️ plate_with_cutlery fork_knife_plate|cooking dinner
🍴 fork_and_knife|breakfast breaky
🥄 spoon|eat tableware
#places
🚗 car red_car automobile|driving vehicle
🚕 taxi|cab cabbie
🚙 blue_car suv|drive recreational
🚌 bus|school vehicle
🏎️ racing_car|zoom
🚓 police_car|cops
🚑 ambulance|emergency vehicle
🚒 fire_engine|truck
🚚 truck delivery_truck|car drive
🚜 tractor|vehicle
🛵 motor_scooter
🏍️ motorcycle|racing
🚲 bike bicycle|class cycling
🛴 kick_scooter scooter
🚨 rotating_light|alarm alert
🚂 steam_locomotive locomotive|caboose engine
🚆 train2 train|arrived choo
🚄 bullettrain_side|railway
🚅 bullettrain_front bullet_train|nose
🚇 metro|subway travel
🚋 tram_car|bus trolley
✈️ airplane|aeroplane fly
🛫 flight_departure airplane_departure|aeroplane
🛬 flight_arrival airplane_arriving|aeroplane arrivals
🚀 rocket|launch rockets
🛸 flying_saucer|aliens extra
🚁 helicopter|roflcopter travel
⛵ boat sailboat|resort sailing
🚤 speedboat|billionaire lake
🚢 ship|boat passenger
⚓ anchor|ship tool
⛽ fuelpump fuel_pump|diesel gas
🚧 construction|barrier
🚦 vertical_traffic_light|drove intersection
🚏 busstop bus_stop
🗺️ world_map
🗿 moyai moai|face statue
🗽 statue_of_liberty|new
🗼 tokyo_tower
🏰 european_castle castle|building
🏯 japanese_castle|building
🏟️ stadium
🎡 ferris_wheel|amusement park
🎢 roller_coaster|amusement park
🎠 carousel_horse|entertainment
⛲ fountain
🏖️ beach_umbrella beach beach_with_umbrella
🏝️ desert_island island
🏜️ desert
🌋 volcano|eruption mountain
⛰️ mountain
🗻 mount_fuji|mountain nature
🏕️ camping
🏠 house|building country
🏡 house_with_garden|building country
🏢 office|building city
🏥 hospital|building doctor
🏦 bank|building
🏨 hotel|building
🏪 convenience_store|building
🏫 school|building
⛪ church|bless chapel
🕌 mosque|islam masjid
🛕 hindu_temple
⛩️ shinto_shrine|religion
🌅 sunrise|morning nature
🌄 sunrise_over_mountains|morning
🌃 night_with_stars
🌇 city_sunrise city_sunset sunset|building dusk
🌉 bridge_at_night
🌌 milky_way|space
🎆 fireworks|boom celebration
🎇 sparkler|boom celebration
🎑 rice_scene moon_ceremony|celebration viewing
♨️ hotsprings hot_springs|steaming
#activities
⚽ soccer soccer_ball|football futbol
🏀 basketball|hoop sport
🏈 football|american bowl
⚾ baseball|sport
🎾 tennis|ball racquet
🏐 volleyball|game
🏉 rugby_football|sport
🥏 flying_disc|ultimate
🎱 8ball billiards pool_8_ball|eight game
🏓 ping_pong|ball bat
🏸 badminton|birdie game
🏒 ice_hockey hockey|game puck
🏏 cricket_game|ball bat
⛳ golf flag_in_hole|sport
🪁 kite|fly soar
🏹 bow_and_arrow|archer archery
🎣 fishing_pole_and_fish fishing_pole|entertainment sport
🥊 boxing_glove
🥋 martial_arts_uniform|judo karate
🎽 running_shirt_with_sash running_shirt|athletics
🛹 skateboard|skater wheels
⛸️ ice_skate|skating
🎿 ski skis|snow sport
🏂 snowboarder person_snowboarding snowboarding|ski sport
🏆 trophy|champion champs
🥇 1st_place_medal 1st first_place_medal|gold
🥈 2nd_place_medal 2nd second_place_medal|silver
🥉 3rd_place_medal 3rd third_place_medal|bronze
🏅 medal_sports sports_medal|award gold
🎖️ medal_military military_medal|award celebration
🎫 ticket|admission stub
🎪 circus_tent
🎭 performing_arts|actor actress
🎨 art palette artist_palette|artsy arty
🎬 clapper clapper_board|action movie
🎤 microphone|karaoke music
🎧 headphones headphone|earbud sound
🎼 musical_score|note
🎹 musical_keyboard|instrument piano
🥁 drum|drumsticks music
🎷 saxophone|instrument music
🎺 trumpet|instrument music
🎸 guitar|instrument music
🪕 banjo|music stringed
🎻 violin|instrument music
🎲 game_die|dice entertainment
♟️ chess_pawn|dupe expendable
🎯 dart bullseye direct_hit|entertainment game
🎳 bowling|ball game
🎮 video_game controller|entertainment
🎰 slot_machine|casino gamble
🧩 jigsaw puzzle_piece|clue interlocking
🎈 balloon|birthday celebrate
🎉 tada party party_popper|awesome birthday
🎊 confetti_ball|celebrate celebration
🎁 gift wrapped_gift|birthday bow
🎀 ribbon|celebration
🎏 flags carp_streamer|celebration
🎐 wind_chime|bell celebration
🎋 tanabata_tree|banner celebration
🎃 jack_o_lantern|celebration halloween
#objects
⌚ watch|clock time
📱 iphone android mobile_phone|cell communication
💻 computer laptop|office
⌨️ keyboard|computer
🖥️ desktop_computer|monitor
🖨️ printer|computer
🖱️ computer_mouse
💾 floppy_disk|computer
💿 cd optical_disk|computer
📷 camera|photo selfie
📸 camera_flash camera_with_flash|video
📹 video_camera|camcorder tbt
🎥 movie_camera|bollywood cinema
📞 telephone_receiver|communication voip
☎️ phone telephone
📺 tv television|video
📻 radio|entertainment tbt
⏰ alarm_clock|hours hrs
⏳ hourglass_flowing_sand|done hours
⌛ hourglass hourglass_done|sand time
📡 satellite satellite_antenna|aliens contact
🔋 battery
🔌 electric_plug|electricity
💡 bulb light_bulb|comic electric
🔦 flashlight|electric tool
🕯️ candle|light
🧯 fire_extinguisher|quench
💸 money_with_wings|bank banknote
💵 dollar|bank banknote
💰 moneybag money_bag|bank bet
💳 credit_card|bank cash
💎 gem gem_stone|diamond engagement
⚖️ balance_scale scales|justice libra
🔧 wrench|home improvement
🔨 hammer|home improvement
🛠️ hammer_and_wrench|spanner tool
⚙️ gear|cog cogwheel
🧲 magnet|attraction horseshoe
💣 bomb|boom comic
🔪 hocho knife kitchen_knife|chef cooking
🛡️ shield|weapon
🔮 crystal_ball|fairy fairytale
🧿 nazar_amulet|bead blue
💈 barber barber_pole|cut fresh
🔭 telescope|contact extraterrestrial
🔬 microscope|experiment lab
💊 pill|doctor drugs
💉 syringe|doctor flu
🩹 adhesive_bandage bandaid
🧬 dna double_helix|biologist evolution
🦠 microbe|amoeba bacteria
🧪 test_tube|chemist chemistry
🌡️ thermometer|weather
🧹 broom|cleaning sweeping
🧺 basket|farming laundry
🧻 roll_of_paper toilet_paper|towels
🚽 toilet|bathroom
🚿 shower|water
🛁 bathtub
🧼 soap|bar bathing
🔑 key|keys lock
🚪 door|back closet
🪑 chair|seat sit
🛋️ couch_and_lamp|hotel
🛏️ bed|hotel sleep
🧸 teddy_bear|plaything plush
🖼️ framed_picture frame_with_picture|art museum
🛍️ shopping shopping_bags|hotel
🛒 shopping_cart|trolley
✉️ envelope|email
📧 e-mail email e_mail|letter
📦 package|box communication
📫 mailbox|closed communication
📜 scroll|paper
📄 page_facing_up|document paper
📊 bar_chart|data graph
📈 chart_with_upwards_trend chart_increasing|data graph
📉 chart_with_downwards_trend chart_decreasing|data graph
📅 date calendar
🗓️ spiral_calendar calendar_spiral|pad
📋 clipboard|list
📁 file_folder
📰 newspaper|communication
📚 books|education fantasy
📖 book open_book|education fantasy
🔖 bookmark
🔗 link|links
📎 paperclip
📏 straight_ruler|angle edge
✂️ scissors|cut cutting
📌 pushpin|collage
📍 round_pushpin|location map
🖊️ pen|ballpoint
✏️ pencil2 pencil
📝 memo|communication media
🔍 mag|glass lab
🔒 lock locked|closed private
🔓 unlock unlocked|cracked open
👑 crown|clothing family
👒 womans_hat|clothes clothing
🎩 tophat top_hat|clothes clothing
🎓 mortar_board graduation_cap|celebration clothing
👓 eyeglasses glasses|clothing eyewear
🕶️ dark_sunglasses|eye eyewear
👔 necktie|clothing employed
👕 shirt tshirt t_shirt|blue casual
👖 jeans|blue casual
👗 dress|clothes clothing
👘 kimono|clothing comfortable
👟 athletic_shoe sneaker running_shoe|clothes clothing
👠 high_heel|clothes clothing
🎒 school_satchel backpack|backpacking bag
☂️ open_umbrella|clothing rain
🌂 closed_umbrella|clothing rain
💍 ring|diamond engaged
💄 lipstick|cosmetics date
#symbols
❤️ heart red_heart|emotion love
🧡 orange_heart
💛 yellow_heart|cardiac
💚 green_heart|emotion
💙 blue_heart|emotion
💜 purple_heart|bestest
🖤 black_heart|evil wicked
🤍 white_heart
🤎 brown_heart
🩷 pink_heart|adorable
🩵 light_blue_heart|cute
💔 broken_heart|break crushed
❣️ heavy_heart_exclamation heart_exclamation|mark punctuation
💕 two_hearts|anniversary
💞 revolving_hearts|adorbs
💓 heartbeat beating_heart|cardio
💗 heartpulse growing_heart|emotion
💖 sparkling_heart|emotion
💘 cupid heart_with_arrow|adorbs
💝 gift_heart heart_with_ribbon|anniversary
💯 100 hundred_points|agree
💢 anger anger_symbol|angry comic
💬 speech_balloon|bubble comic
💭 thought_balloon|bubble cartoon
💤 zzz|comic good
🕳️ hole
🎵 musical_note|sound
🎶 notes musical_notes|sound
🔔 bell|break church
🔕 no_bell|forbidden mute
📣 mega megaphone|cheering sound
📢 loudspeaker|address communication
♻️ recycle recycling_symbol
⚠️ warning|caution
⛔ no_entry|fail
🚫 no_entry_sign prohibited|forbidden not
❌ x cross_mark|cancel multiplication
⭕ o hollow_red_circle red_o|heavy large
✅ white_check_mark check_mark_button|checked checkmark
☑️ ballot_box_with_check|checked done
✔️ heavy_check_mark check_mark|checked checkmark
❓ question|mark
❔ grey_question white_question|mark
❗ exclamation heavy_exclamation_mark|punctuation
❕ grey_exclamation white_exclamation|mark
‼️ bangbang double_exclamation
⁉️ interrobang exclamation_question
➕ heavy_plus_sign plus
➖ heavy_minus_sign minus|math
➗ heavy_division_sign divide division|math
✖️ heavy_multiplication_x multiplication multiply|cancel sign
🟰 heavy_equals_sign|answer equality
🔴 red_circle|geometric
🟠 orange_circle
🟡 yellow_circle
🟢 green_circle
🔵 large_blue_circle blue_circle|geometric
🟣 purple_circle
⚫ black_circle|geometric
⚪ white_circle|geometric
🟥 red_square|card penalty
🟩 green_square
🟦 blue_square
⬆️ arrow_up up_arrow|cardinal direction
↗️ arrow_upper_right up_right_arrow|direction intercardinal
➡️ arrow_right right_arrow|cardinal direction
⬇️ arrow_down down_arrow|cardinal direction
⬅️ arrow_left left_arrow|cardinal direction
↩️ leftwards_arrow_with_hook arrow_left_hook|curving right
🔄 arrows_counterclockwise counterclockwise|again anticlockwise
🔝 top top_arrow|homie
🔜 soon soon_arrow|brb omw
🆗 ok ok_button|okay
🆕 new new_button
🆒 cool cool_button
🆓 free free_button
🆙 up up2 up_button|mark
🆘 sos sos_button|help
ℹ️ information_source info information
🈁 koko ja_here|button japanese
🉐 ideograph_advantage ja_bargain|button japanese
㊙️ secret ja_secret|button ideograph
㊗️ congratulations ja_congratulations|button ideograph
🈵 u6e80 ja_no_vacancy|button ideograph
🔰 beginner|chevron green
🏁 checkered_flag chequered_flag|finish flags
🚩 triangular_flag_on_post triangular_flag|construction golf
🎌 crossed_flags|celebration japanese
🏴 black_flag|waving
🏳️‍🌈 rainbow_flag|bisexual gay
☮️ peace_symbol peace|healing peaceful
☯️ yin_yang|difficult lives
♾️ infinity|forever unbounded
©️ copyright
®️ registered
™️ tm trade_mark|trademark`;
