//! Names of people and places for the nationalities that the crate `fake` has no locale for, and streets and cities for all.
//!
//! Some entries carry on purpose what the public service carries too: a trailing space, an empty street, an apostrophe,
//! a Cyrillic letter that looks Latin. Whoever reads the API has to cope with them.

pub type Words = &'static [&'static str];

#[rustfmt::skip]
pub mod people {
    use super::Words;

    pub const DK_MEN: Words = &["Anders", "Asger", "Bjørn", "Christian", "Emil", "Frederik", "Gustav", "Jens", "Jørgen", "Kristoffer", "Lasse", "Mads", "Magnus", "Mikkel", "Niels", "Oliver", "Rasmus", "Søren", "Thor", "Valdemar"];
    pub const DK_WOMEN: Words = &["Agnes", "Anne", "Astrid", "Caroline", "Clara", "Freja", "Gry", "Ida", "Ingrid", "Johanne", "Karen", "Kirsten", "Laura", "Lærke", "Maja", "Mathilde", "Mette", "Rikke", "Sofie", "Søs"];
    pub const DK_LAST: Words = &["Andersen", "Bæk", "Christensen", "Dahl", "Eriksen", "Frandsen", "Hansen", "Holm", "Jensen", "Jørgensen", "Kjær", "Kristensen", "Larsen", "Lund", "Madsen", "Møller", "Nielsen", "Nørgaard", "Olsen", "Østergaard", "Pedersen", "Petersen", "Poulsen", "Rasmussen", "Schmidt", "Sørensen", "Thomsen", "Vestergaard"];

    pub const NO_MEN: Words = &["Aksel", "Anders", "Bjørn", "Eirik", "Erlend", "Fredrik", "Geir", "Håkon", "Håvard", "Ivar", "Jonas", "Kåre", "Lars", "Magnus", "Odd", "Ola", "Pål", "Sindre", "Sverre", "Torbjørn"];
    pub const NO_WOMEN: Words = &["Anne", "Astrid", "Åse", "Berit", "Bjørg", "Eli", "Frida", "Guro", "Hedda", "Ingeborg", "Ingrid", "Kari", "Liv", "Marit", "Nora", "Ragnhild", "Selma", "Sigrid", "Solveig", "Tuva"];
    pub const NO_LAST: Words = &["Aasen", "Andersen", "Bakken", "Berg", "Bråten", "Dahl", "Eide", "Fjeld", "Gulbrandsen", "Hagen", "Hansen", "Haugen", "Håland", "Johansen", "Kristiansen", "Lie", "Lunde", "Moen", "Myhre", "Nilsen", "Nygård", "Ødegård", "Rønning", "Sæther", "Solberg", "Strand", "Tangen", "Østby"];

    pub const FI_MEN: Words = &["Aapo", "Antti", "Eero", "Eetu", "Hannu", "Heikki", "Ilmari", "Jari", "Juhani", "Jukka", "Kalle", "Lauri", "Matti", "Mikko", "Onni", "Otto", "Pekka", "Väinö", "Veikko", "Yrjö"];
    pub const FI_WOMEN: Words = &["Aada", "Aino", "Anni", "Eeva", "Elina", "Hanna", "Helmi", "Iida", "Inkeri", "Kaisa", "Leena", "Liisa", "Minna", "Päivi", "Pihla", "Ritva", "Saara", "Siiri", "Tuuli", "Venla"];
    pub const FI_LAST: Words = &["Aalto", "Hakala", "Hämäläinen", "Heikkinen", "Hiltunen", "Jokinen", "Järvinen", "Kinnunen", "Koivisto", "Korhonen", "Koskinen", "Laine", "Lehtonen", "Leppänen", "Mäkelä", "Mäkinen", "Niemi", "Nieminen", "Ojala", "Peltola", "Räsänen", "Salonen", "Seppälä", "Toivonen", "Turunen", "Virtanen", "Väisänen", "Wuori"];

    pub const ES_MEN: Words = &["Adrián", "Alejandro", "Álvaro", "Andrés", "Ángel", "Carlos", "Diego", "Fernando", "Gonzalo", "Héctor", "Íñigo", "Javier", "Jesús", "José", "Juan", "Luis", "Manuel", "Martín", "Óscar", "Raúl", "Rubén", "Sergio", "Tomás", "Víctor"];
    pub const ES_WOMEN: Words = &["Alba", "Ana", "Ángela", "Begoña", "Carmen", "Concepción", "Cristina", "Elena", "Inés", "Isabel", "Laura", "Lucía", "María", "Marta", "Mónica", "Noelia", "Nuria", "Pilar", "Raquel", "Rocío", "Sofía", "Susana", "Verónica", "Yolanda"];
    pub const ES_LAST: Words = &["Álvarez", "Benítez", "Blanco", "Cano", "Castro", "Díaz", "Domínguez", "Fernández", "Gallego", "García", "Gil", "Gómez", "González", "Gutiérrez", "Hernández", "Ibáñez", "Iglesias", "Jiménez", "León", "López", "Marín", "Martínez", "Molina", "Muñoz", "Navarro", "Núñez", "Ortega", "Peña", "Pérez", "Ramírez", "Rodríguez", "Sáez", "Sánchez", "Vázquez"];

    pub const MX_MEN: Words = &["Abelardo", "Armando", "Benito", "César", "Cuauhtémoc", "Emiliano", "Enrique", "Francisco", "Gerardo", "Gilberto", "Hugo", "Ignacio", "Joaquín", "José Luis", "Leonardo", "Mateo", "Octavio", "Pablo", "Ramón", "Santiago"];
    pub const MX_WOMEN: Words = &["Adriana", "Alejandra", "Beatriz", "Citlali", "Dolores", "Esperanza", "Fernanda", "Gabriela", "Guadalupe", "Itzel", "Jimena", "Leticia", "Lourdes", "María José", "Mariana", "Regina", "Renata", "Rosario", "Socorro", "Ximena"];
    pub const MX_LAST: Words = &["Aguilar", "Ávila", "Bañuelos", "Camacho", "Cárdenas", "Cervantes", "Contreras", "Elizondo", "Escamilla", "Garza", "Guerrero", "Juárez", "Lozano", "Mejía", "Meléndez", "Montaño", "Orozco", "Pacheco", "Quintana", "Ríos", "Salinas", "Solís", "Treviño", "Urías", "Villaseñor", "Zamora", "Zúñiga"];

    pub const IN_MEN: Words = &["Aarav", "Aditya", "Arjun", "Bhavesh", "Chetan", "Deepak", "Farhan", "Gaurav", "Harish", "Ishaan", "Kabir", "Karan", "Manish", "Nikhil", "Pranav", "Rohan", "Sanjay", "Tejas", "Vikram", "Yash"];
    pub const IN_WOMEN: Words = &["Aditi", "Ananya", "Anjali", "Bhavna", "Deepa", "Diya", "Gauri", "Isha", "Jyoti", "Kavya", "Lata", "Meera", "Nandini", "Pooja", "Priya", "Radha", "Sanya", "Shreya", "Tara", "Vidya"];
    pub const IN_LAST: Words = &["Acharya", "Agarwal", "Banerjee", "Bhat", "Chauhan", "Das", "Desai", "Gill", "Gupta", "Hegde", "Iyer", "Jain", "Joshi", "Kapoor", "Khan", "Kulkarni", "Mehta", "Menon", "Mishra", "Nair", "Patel", "Pillai", "Rao", "Reddy", "Saxena", "Sharma", "Singh", "Verma"];

    pub const RS_MEN: Words = &["Aleksandar", "Boško", "Branislav", "Čedomir", "Dragan", "Đorđe", "Goran", "Igor", "Jovan", "Lazar", "Luka", "Marko", "Miloš", "Nemanja", "Nikola", "Petar", "Siniša", "Stefan", "Uroš", "Žarko"];
    pub const RS_WOMEN: Words = &["Ana", "Anđela", "Biljana", "Danica", "Dragana ", "Dušica", "Gordana", "Ivana", "Jasmina", "Jelena", "Katarina", "Ljubica", "Milica", "Mirjana", "Nataša", "Radmila", "Sanja", "Snežana", "Tijana", "Živka"];
    pub const RS_LAST: Words = &["Antić", "Babić", "Bogdanović", "Cvetković", "Čolić", "Đurić", "Filipović", "Gavrilović", "Ilić", "Ivanović", "Janković", "Jovanović", "Kostić", "Lukić", "Marković", "Mišić", "Nikolić", "Pavlović", "Petrović", "Popović", "Radić", "Savić", "Simić", "Stojanović", "Šarić", "Tomić", "Vasić", "Živković"];

    pub const TR_MEN: Words = &["Ahmet", "Ali", "Barış", "Burak", "Cem", "Çağlar", "Emre", "Furkan", "Görkem", "Hakan", "Hüseyin", "İbrahim", "İsmail", "Kağan", "Mehmet", "Murat", "Oğuz", "Ömer", "Şükrü", "Yiğit"];
    pub const TR_WOMEN: Words = &["Asya", "Ayşe", "Başak", "Büşra", "Çiğdem", "Defne", "Ebru", "Elif", "Emine", "Fatma", "Gül", "Güneş", "Hatice", "İpek", "Melike", "Nazlı", "Özge", "Şeyma", "Tuğba", "Zeynep"];
    pub const TR_LAST: Words = &["Acar", "Akgül", "Aksoy", "Arslan", "Aydın", "Balcı", "Bozkurt", "Çelik", "Çetin", "Demir", "Doğan", "Erdoğan", "Güler", "Işık", "Kaplan", "Karabulut", "Kaya", "Kılıç", "Koç", "Öztürk", "Özkan", "Polat", "Şahin", "Şimşek", "Taş", "Tekin", "Toprak", "Ünal", "Yıldırım", "Yıldız", "Yılmaz"];

    pub const UA_MEN: Words = &["Andriy", "Bogdan", "Borislav", "Danilo", "Dmitro", "Fedir", "Grigoriy", "Ivan", "Levko", "Lyubomir", "Maksim", "Mikola", "Nazar", "Oleksandr", "Orest", "Ostap", "Pavlo", "Taras", "Vasil", "Yaroslav"];
    pub const UA_WOMEN: Words = &["Anastasiya", "Bogdana", "Darina", "Galina", "Hristina", "Irina", "Kateryna", "Lesya", "Lyudmila", "Mar'yana", "Nadiya", "Oksana", "Olena", "Polina", "Ruslana", "Solomiya", "Svitlana", "Uliana", "Yaroslava", "Zlata"];
    pub const UA_LAST: Words = &["Boyko", "Bondarenko", "Chornovil", "Dem'yanenko", "Fedorenko", "Gavrilyuk", "Gorbenko", "Gricenko", "Hmelnik", "Ivanenko", "Klimenko", "Kolesnik", "Kovalenko", "Kravec", "Lisenko", "Lukash", "Marchenko", "Melnik", "Oliynik", "Petrenko", "Prihodko", "Rudenko", "Savchuk", "Shevchuk", "Solov'yov", "Tkachenko", "Vdovichenko", "Zahar'yan"];
}

#[rustfmt::skip]
pub mod streets {
    use super::Words;

    pub const ENGLISH: Words = &["Abbey Road", "Albert Road", "Beech Avenue", "Castle Street", "Chapel Lane", "Church Street", "Clarence Road", "George Street", "Green Lane", "Grove Road", "Harbour View", "High Street", "King Street", "Manor Close", "Market Place", "Mill Road", "North Street", "Orchard Drive", "Park Lane", "Queen Street", "Richmond Park", "School Lane", "The Drive", "Victoria Street", "Windsor Road"];
    pub const AMERICAN: Words = &["Adams St", "Ash Dr", "Bluebonnet Ln", "Cedar Ave", "Cherry St", "Country Club Rd", "E 3rd St", "Elm St", "Fairview St", "Hickory Creek Dr", "Hillcrest Rd", "Lakeview Dr", "Locust Rd", "Maple Ln", "N Main St", "Oak Ridge Ln", "Pecan Acres Ln", "Prospect Rd", "Ranchview Dr", "Ridge Rd", "S Center St", "Spring Hill Rd", "Sunset St", "Walnut Hill Ln", "Washington Blvd"];
    pub const BR: Words = &["Alameda das Palmeiras", "Avenida Brasil ", "Avenida Getúlio Vargas", "Praça da República", "Rua Amazonas ", "Rua Belo Horizonte", "Rua Bela Vista ", "Rua Castro Alves ", "Rua Dom Pedro", "Rua das Acácias ", "Rua das Flores", "Rua Duque de Caxias", "Rua João Pessoa ", "Rua Maranhão ", "Rua Paraná", "Rua Rui Barbosa ", "Rua Santa Luzia", "Rua São João ", "Rua Tiradentes", "Travessa do Comércio"];
    pub const CH: Words = &["Avenue de la Gare", "Bahnhofplatz", "Chemin des Vignes", "Dorfstrasse", "Hauptstrasse", "Kirchweg", "Place du Marché", "Route de Genève", "Route du Léman", "Rue de l'Église", "Rue des Écoles", "Rue du Château", "Rue du Midi", "Seestrasse", "Via Cantonale", "Via San Gottardo"];
    pub const DE: Words = &["Ahornallee", "Am Bahnhof", "Amselweg", "Bergstraße", "Buchenweg", "Burgstraße", "Drosselweg", "Eichenstraße", "Feldstraße", "Gartenstraße", "Goethestraße", "Grüner Platz", "Hauptstraße", "Kirchplatz", "Königsallee", "Marktstraße", "Mühlenweg", "Ringstraße", "Schillerstraße", "Schloßstraße", "Tulpenweg", "Wiesenweg"];
    pub const DK: Words = &["Algade", "Birkevænget", "Bøgevej", "Egevej", "Engvej", "Fjordvej", "Granvænget", "Havnegade", "Hovedgaden", "Kirkevej", "Klostergade", "Lærkevej", "Møllevej", "Nørregade", "Østergade", "Rønnevej", "Skolevej", "Søndergade", "Strandvejen", "Vestergade"];
    pub const ES: Words = &["Avenida de América", "Avenida de la Constitución", "Avenida del Planetario", "Calle de Alcalá", "Calle de Atocha", "Calle de Bravo Murillo", "Calle de Segovia", "Calle de Toledo", "Calle del Arenal", "Calle Mayor", "Calle Nueva", "Calle San Antón", "Camino de la Ermita", "Paseo de Extremadura", "Paseo del Río", "Plaza de España", "Ronda de Toledo", "Travesía del Peñón"];
    pub const FI: Words = &["Aleksanterinkatu", "Asemakatu", "Bulevardi", "Esplanadi", "Hämeenkatu", "Hämeentie", "Itsenäisyydenkatu", "Kauppakatu", "Keskuskatu", "Koulukatu", "Mannerheimintie", "Mechelininkatu", "Myllypuronkatu", "Pyynikintie", "Rautatienkatu", "Satakennankatu", "Suvantokatu", "Tahmelantie", "Tehtaankatu", "Visiokatu"];
    pub const FR: Words = &["Avenue du Château", "Avenue du Fort-Caire", "Boulevard de la Duchère", "Cours Charlemagne", "Grande Rue", "Impasse des Lilas", "Montée Saint-Barthélemy", "Place des Terreaux", "Place du 8 Février 1962", "Quai Chauveau", "Quai Saint-Vincent", "Route de Limonest", "Rue Bossuet", "Rue de l'Abbé-Carton", "Rue de la Barre", "Rue de la Fontaine", "Rue des Cuirassiers", "Rue du Dauphiné", "Rue Gasparin", "Rue Pasteur"];
    pub const IN: Words = &["Airport Rd", "Bannerghatta Rd", "Brigade Rd", "Civil Lines", "Connaught Circus", "Gandhi Marg", "Gariahat", "Hazratganj", "Jubilee Hills", "Lajpat Nagar", "Linking Rd", "MG Rd", "Marine Drive", "Nehru Place", "Park Street", "Ring Rd", "Sadar Bazaar", "Sarojini Devi Rd"];
    pub const IR: Words = &["آزادی", "امام خمینی", "انقلاب اسلامی", "بلوار کشاورز", "پاسداران", "جمهوری اسلامی", "حافظ", "خیابان فردوسی", "دماوند", "سعدی", "شریعتی", "شهید بهشتی", "طالقانی", "فلسطین", "کارگر شمالی", "مطهری", "میدان ولیعصر", "نواب صفوی", "ولیعصر", "یادگار امام"];
    pub const MX: Words = &["Andador Nuevo León", "Avenida Durango", "Avenida Insurgentes", "Boulevard Juárez", "Calle Belice", "Calle Hidalgo", "Callejón de los Ángeles", "Calzada Norte Olivares", "Cerrada Morelos", "Circuito Jalisco", "Corredor Sur Téllez", "Eje vial Puebla", "Peatonal Chiapas", "Periférico Oaxaca", "Privada Yucatán", "Prolongación Sinaloa", "Retorno Colima", "Viaducto Sonora"];
    pub const NL: Words = &["Beatrixlaan", "Boterdiep", "Brink", "Burgemeester van der Kamplaan", "Dorpsstraat", "Eikenlaan", "Groenewoudseweg", "Havendijk", "Julianastraat", "Kastanjelaan", "Kerkplein", "Lange Voorhout", "Molenstraat", "Nieuwe Gracht", "Oranjesingel", "Prins Hendrikkade", "'s-Gravenweg", "Schoolstraat", "Stationsweg", "Wilhelminapark"];
    pub const NO: Words = &["Arbeids gate", "Åsveien", "Bjerkeveien", "Dronningens gate", "Elgesetergate", "Fjellveien", "Grønlandsleiret", "Haakon VIIs gate", "Kirkeveien", "Kongens gate", "Myrveien", "Nygårdsgata", "Oslogata", "Rådhusgata", "Skogveien", "Skøyenveien", "Solveien", "Storgata", "Sørkedalsveien", "Ullevålsveien"];
    pub const NZ: Words = &["Anzac Avenue", "Blenheim Road", "Cashmere Road", "Colombo Street", "Cuba Street", "Dominion Road", "Great South Road", "Karangahape Road", "Manukau Road", "Moorhouse Avenue", "Papanui Road", "Pioneer Highway", "Riccarton Road", "Rimutaka Hill Road", "Tamaki Drive", "Te Rapa Road", "Tory Street", "Willis Street"];
    // Two hold a Cyrillic letter that looks Latin.
    pub const RS: Words = &["Alekse Šantića", "Braće Jugovića ", "Bulevar Oslobođenja", "Dragoljuba Јovanovića", "Đure Jakšića", "Fruškogorska", "Hajduk Veljkova ", "Jug Bogdanova", "Karađorđeva", "Kneza Miloša", "Kralja Petra ", "Marka Oreškovića ", "Nikole Tesle", "Njegoševa", "Porodice Jović", "Stevana Mokranjca ", "Svetog Save", "Takovska", "Vojvode Putnika", "Žike Popovića", "StanislavЈeva "];
    pub const TR: Words = &["Abanoz Sk", "Atatürk Sk", "Bağdat Cd", "Barbaros Blv", "Bahçe Cd", "Cumhuriyet Cd", "Fatih Sultan Mehmet Cd", "Filistin Cd", "Gazi Osman Paşa Cd", "İnönü Cd", "Kuşadası Sk", "Mevlana Cd", "Necatibey Cd", "Şehitler Cd", "Tunalı Hilmi Cd", "Vatan Cd", "Yıldız Cd", "Ziya Gökalp Blv"];
    pub const UA: Words = &["", "Akademika Pavlova", "Bulvar Shevchenka", "Dniprovska", "Ivana Franka", "Kiyivska", "Lesi Ukrayinki", "Mihayla Grushevskogo", "Naberezhna", "Osinnya", "Ploshcha Rinok", "Prospekt Peremogi", "Provulok Sadoviy", "Rizdvyana", "Sim'yi Sosninih", "Soborna", "Vinogradna", "Volodimirska", "Yuriya Fed'kovicha", "Zelena"];
}

#[rustfmt::skip]
pub mod cities {
    use super::Words;

    pub const AU: Words = &["Adelaide", "Albury", "Ballarat", "Bendigo", "Brisbane", "Bunbury", "Cairns", "Canberra", "Darwin", "Geelong", "Hobart", "Launceston", "Perth", "Sydney", "Toowoomba", "Wagga Wagga"];
    pub const BR: Words = &["Anápolis", "Aracaju", "Belém", "Campinas", "Cuiabá", "Florianópolis", "Goiânia", "João Pessoa", "Jundiaí", "Macapá", "Maceió", "Niterói", "Ribeirão Preto", "Santos", "São Luís", "Uberlândia", "Vitória"];
    pub const CA: Words = &["Brandon", "Chicoutimi", "Fredericton", "Gatineau", "Halifax", "Kelowna", "Kingston", "Lévis", "Montréal", "Moose Jaw", "Nanaimo", "Red Deer", "Regina", "St. John's", "Trois-Rivières", "Whitehorse"];
    pub const CH: Words = &["Aarau", "Basel", "Bellinzona", "Biel/Bienne", "Chur", "Delémont", "Fribourg", "Genève", "La Chaux-de-Fonds", "Lausanne", "Lugano", "Neuchâtel", "Sion", "Thun", "Zürich"];
    pub const DE: Words = &["Aachen", "Bad Säckingen", "Castrop-Rauxel", "Döbeln", "Erfurt", "Flöha", "Gießen", "Görlitz", "Köln", "Lübeck", "Lutherstadt Wittenberg", "München", "Rostock", "Rüsselsheim", "Trier", "Zwickau"];
    pub const DK: Words = &["Aarhus", "Allerød", "Brøndby", "Esbjerg", "Fåborg", "Helsingør", "Herning", "Hjørring", "Køge", "Nørre Alslev", "Odense", "Randers", "Ringkøbing", "Sønderborg", "Tønder", "Vejle"];
    pub const ES: Words = &["Almería", "Badalona", "Cáceres", "Cádiz", "Córdoba", "Gijón", "La Coruña", "Logroño", "Madrid", "Mérida", "Murcia", "Orihuela", "Palma de Mallorca", "San Sebastián de los Reyes", "Torrejón de Ardoz", "Valencia"];
    pub const FI: Words = &["Espoo", "Hämeenlinna", "Helsinki", "Joensuu", "Jyväskylä", "Kajaani", "Kemijärvi", "Lahti", "Närpiö", "Oulu", "Pietarsaari", "Pöytyä", "Rovaniemi", "Seinäjoki", "Tampere", "Ylöjärvi"];
    pub const FR: Words = &["Aix-en-Provence", "Angers", "Béziers", "Caen", "Dijon", "Fort-de-France", "Le Mans", "Limoges", "Lyon", "Mérignac", "Mulhouse", "Nîmes", "Orléans", "Saint-Étienne", "Saint-Pierre", "Vitry-sur-Seine"];
    pub const GB: Words = &["Aberdeen", "Bath", "Cambridge", "Carlisle", "Derby", "Exeter", "Glasgow", "Inverness", "Kingston upon Hull", "Leeds", "Lisburn", "Newport", "Norwich", "Stoke-on-Trent", "Truro", "Wolverhampton"];
    pub const IE: Words = &["Arklow", "Athlone", "Ballina", "Clonmel", "Cork", "Drogheda", "Dún Laoghaire", "Ennis", "Galway", "Kilkenny", "Leixlip", "Mullingar", "Sligo", "Tralee", "Waterford", "Wexford"];
    pub const IN: Words = &["Agra", "Bhopal", "Chandigarh", "Coimbatore", "Dehradun", "Guwahati", "Hyderabad", "Indore", "Jaipur", "Kochi", "Lucknow", "Mysore", "Nagpur", "Patna", "Ranchi", "Vadodara"];
    pub const IR: Words = &["آبادان", "اراک", "اردبیل", "اصفهان", "اهواز", "بندرعباس", "تبریز", "خرم‌آباد", "رشت", "زاهدان", "ساری", "شیراز", "قائم‌شهر", "کرمانشاه", "مشهد", "همدان", "یزد"];
    pub const MX: Words = &["Álamos", "Campeche", "Ciudad Obregón", "Cuernavaca", "Dolores Hidalgo", "Ejido Ojo de Agua", "Guadalajara", "Jiquilpan", "León", "Mazatlán", "Mérida", "Pátzcuaro", "Querétaro", "San Cristóbal", "Taxco", "Zihuatanejo"];
    pub const NL: Words = &["Alphen aan den Rijn", "Almere", "Bergen op Zoom", "Delft", "'s-Hertogenbosch", "Eindhoven", "Gouda", "Haarlem", "IJmuiden", "Leeuwarden", "Nijmegen", "Sneek", "Súdwest-Fryslân", "Tiel", "Venlo", "Zwolle"];
    pub const NO: Words = &["Ålesund", "Bergen", "Bodø", "Drammen", "Fåvang", "Gjøvik", "Hønefoss", "Kirkenes", "Kristiansand", "Lillehammer", "Måløy", "Røros", "Stavanger", "Tromsø", "Trondheim", "Ørsta"];
    pub const NZ: Words = &["Auckland", "Blenheim", "Christchurch", "Dunedin", "Gisborne", "Hamilton", "Invercargill", "Masterton", "Napier", "Nelson", "New Plymouth", "Palmerston North", "Rotorua", "Timaru", "Wellington", "Whangarei"];
    pub const RS: Words = &["Bački Petrovac", "Beograd", "Čačak", "Gornji Milanovac", "Kraljevo", "Leskovac", "Loznica", "Niš", "Novi Sad", "Pančevo", "Šabac", "Smederevo", "Subotica", "Užice", "Vršac", "Žabalj"];
    pub const TR: Words = &["Adıyaman", "Afyon", "Ankara", "Balıkesir", "Çanakkale", "Denizli", "Diyarbakır", "Eskişehir", "Gümüşhane", "Iğdır", "İzmir", "Kırşehir", "Muğla", "Şanlıurfa", "Tekirdağ", "Zonguldak"];
    pub const UA: Words = &["Bar", "Bila Cerkva", "Cherkasi", "Chornomorsk", "Dnipro", "Ivano-Frankivsk", "Kam'yanec-Podilskiy", "Kiyiv", "Lviv", "Mirgorod", "Odesa", "Poltava", "Slov'yansk", "Ternopil", "Uzhgorod", "Vinnicya"];
    pub const US: Words = &["Albuquerque", "Anchorage", "Baton Rouge", "Boise", "Chattanooga", "Des Moines", "Fort Lauderdale", "Grand Rapids", "Kansas City", "Lexington", "North Las Vegas", "Omaha", "Pittsburgh", "Sacramento", "St. Petersburg", "Tulsa"];
}

#[rustfmt::skip]
pub mod states {
    use super::Words;

    pub const AU: Words = &["Australian Capital Territory", "New South Wales", "Northern Territory", "Queensland", "South Australia", "Tasmania", "Victoria", "Western Australia"];
    pub const CA: Words = &["Alberta", "British Columbia", "Manitoba", "New Brunswick", "Newfoundland and Labrador", "Northwest Territories", "Nova Scotia", "Nunavut", "Ontario", "Prince Edward Island", "Québec", "Saskatchewan", "Yukon"];
    pub const CH: Words = &["Aargau", "Appenzell Innerrhoden", "Basel-Stadt", "Fribourg", "Genève", "Graubünden", "Jura", "Luzern", "Neuchâtel", "Solothurn", "St. Gallen", "Ticino", "Uri", "Valais", "Vaud", "Zürich"];
    pub const DK: Words = &["Danmark", "Hovedstaden", "Midtjylland", "Nordjylland", "Sjælland", "Syddanmark"];
    pub const ES: Words = &["Andalucía", "Aragón", "Asturias", "Canarias", "Cantabria", "Castilla y León", "Castilla la Mancha", "Cataluña", "Ceuta", "Comunidad de Madrid", "Extremadura", "Galicia", "Islas Baleares", "La Rioja", "Melilla", "Navarra", "País Vasco", "Región de Murcia"];
    pub const FI: Words = &["Åland", "Central Finland", "Kainuu", "Lapland", "North Karelia", "Northern Ostrobothnia", "Pirkanmaa", "Päijät-Häme", "Satakunta", "South Karelia", "Southern Savonia", "Uusimaa", "Varsinais-Suomi"];
    pub const FR: Words = &["Ain", "Alpes-Maritimes", "Ardèche", "Bouches-du-Rhône", "Côte-d'Or", "Deux-Sèvres", "Finistère", "Haute-Savoie", "Hérault", "Isère", "La Réunion", "Loir-et-Cher", "Lozère", "Mayotte", "Nièvre", "Puy-de-Dôme", "Val-d'Oise", "Vendée"];
    pub const GB: Words = &["Avon", "Berkshire", "Borders", "Buckinghamshire", "Cheshire", "Clwyd", "County Down", "Cumbria", "Dorset", "Dyfed", "Gwent", "Isle of Wight", "Kent", "Lothian", "Mid Glamorgan", "Northumberland", "Powys", "Tayside", "West Yorkshire", "Wiltshire"];
    pub const IE: Words = &["Carlow", "Cavan", "Clare", "Donegal", "Dublin City", "Dún Laoghaire-Rathdown", "Fingal", "Galway County", "Kerry", "Kildare", "Laois", "Leitrim", "Mayo", "Monaghan", "Offaly", "Tipperary", "Westmeath", "Wicklow"];
    pub const IN: Words = &["Andaman and Nicobar Islands", "Andhra Pradesh", "Bihar", "Chhattisgarh", "Goa", "Gujarat", "Himachal Pradesh", "Karnataka", "Kerala", "Maharashtra", "Meghalaya", "Odisha", "Punjab", "Rajasthan", "Tamil Nadu", "Uttarakhand", "West Bengal"];
    pub const MX: Words = &["Aguascalientes", "Baja California Sur", "Chihuahua", "Coahuila", "Colima", "Distrito Federal", "Estado de México", "Hidalgo", "Michoacán", "Nuevo León", "Oaxaca", "Quintana Roo", "San Luis Potosí", "Tabasco", "Veracruz", "Yucatán", "Zacatecas"];
    pub const NO: Words = &["Akershus", "Aust-Agder", "Buskerud", "Finnmark - Finnmárku", "Hedmark", "Møre og Romsdal", "Nord-Trøndelag", "Nordland", "Oslo", "Østfold", "Rogaland", "Sogn og Fjordane", "Sør-Trøndelag", "Telemark", "Troms - Romsa", "Vestfold"];
    pub const NZ: Words = &["Auckland", "Bay of Plenty", "Canterbury", "Gisborne", "Hawke'S Bay", "Manawatu-Wanganui", "Marlborough", "Nelson", "Northland", "Otago", "Southland", "Taranaki", "Tasman", "Waikato", "Wellington", "West Coast"];
    pub const RS: Words = &["Bor", "Braničevo", "Central Banat", "Jablanica", "Kolubara", "Mačva", "Moravica", "Nišava", "North Bačka", "Pirot", "Podunavlje", "Pomoravlje", "Rasina", "Srem", "Šumadija", "Zlatibor"];
    pub const TR: Words = &["Ağrı", "Aksaray", "Amasya", "Ardahan", "Artvin", "Bilecik", "Bingöl", "Çankırı", "Çorum", "Düzce", "Elazığ", "Hakkâri", "Kahramanmaraş", "Kütahya", "Niğde", "Şırnak", "Uşak", "Yozgat"];
    pub const UA: Words = &["Chernigivska", "Dnipropetrovska", "Harkivska", "Hersonska", "Ivano-Frankivska", "Kiyivska", "Luganska", "Lvivska", "Mikolayivska", "Odeska", "Poltavska", "Rivnenska", "Sumska", "Vinnicka", "Zaporizka", "Zhitomirska"];
}
