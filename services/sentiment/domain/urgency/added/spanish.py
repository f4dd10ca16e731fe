"""Spanish."""

from services.sentiment.domain.urgency.spanish import NEGATIONS as NEGATIONS
from shared.events import Urgency

MONEY = "dinero/reembolso/devolución/fianza/depósito/abono/indemnización/importe/reintegro"
PLACES = "oficina/despacho/tienda/tiendas/equipo/empresa/clínica/barrio/edificio/calle/hotel/almacén/sucursal"
MACHINES = "caja/cajas/datáfono/datáfonos/terminal/terminales/impresora/impresoras"

URGENT: dict[Urgency, str] = {
    "legal_threat": """
caso/asunto/tema ~ en_manos/a_manos ~ de
puesto/pongo/pondré/pondremos ... en_manos ~ de ~ abogad*/justicia/agencia/protección/juzgado
agencia ~ de/española ~ protección
última/último ~ aviso/oportunidad ~ antes
hoja ~ de ~ reclamaciones
seguro/asesoría ~ jurídico/jurídica/legal
notificación/requerimiento/burofax
""",
    "safety": """
quemó/quemado/quemada/quemaron/quemé ~ ?la/el/los ~ mano/brazo/pierna/cara/dedo/dedos/piel/pie/mesa/alfombra/cama
echó/echando/salía/salió/sale ~ humo/chispas/llamas
partió/rompió ... en_marcha/urgencias/hospital
acabó/acabé/acabamos/terminó ~ en ~ urgencias/hospital
resbal*/caí/cayó/tropecé/tropezó ... rompió/roto/fractura/muñeca/cadera/urgencias/hospital
garganta/labios/cara/lengua ~ hinchó/hinchada/hinchados/cerró
empujó/agarró/pegó/golpeó/escupió/amenazó ~ a/me/mi/delante
casi/por_poco ~ se/me/nos ~ ahoga/quema/mata/electrocuta/atropella/muere
calambre/descarga_eléctrica/cortocircuito
""",
    "cancellation": """
doy/damos/darme/darnos/dar/daré/daremos ~ de ~ baja
quiero/queremos/deseo ~ cerrar/terminar/acabar/finalizar ~ con ~ ?todo/mi/el/ustedes/vosotros
cómo/dónde ~ me/se/puedo ~ doy/da/dar/borro/borrar ~ ?de ~ baja/cuenta
nos/me vamos/voy ~ a ~ otra/otro/la_competencia
cambio/cambiamos/cambiaré/cambiaremos ~ de ~ compañía/banco/operador/aseguradora/proveedor
última ~ factura/cuota/compra ~ que
pido/solicito/pedimos ~ la ~ baja/portabilidad
portabilidad
""",
    "outage": f"""
toda/todo/todos/todas ~ {PLACES} ~ parado/parada/sin/bloqueado/bloqueada/caído
{MACHINES} ~ no/sin/muertas/bloqueadas/paradas ~ funcionan/van/cobrar/línea/aceptan
no_deja/no_dejan/sin_poder ~ entrar/cobrar/vender/trabajar/facturar ~ a ~ nadie/./,/desde
nadie ~ en/de ... {PLACES} ... puede/consigue
no ~ podemos/puedo/pueden ~ cobrar/vender/trabajar/atender/facturar/abrir ./,/desde/a/por/en
sin ~ luz/agua/calefacción/internet/cobertura/teléfono/agua_caliente ~ desde
caída/apagón/corte ~ general/total/masivo/desde
""",
    "money_taken": f"""
{MONEY} ... nunca/no/todavía_no/aún_no/sigue_sin ~ llegado/llegó/llega/devuelto/devuelven/recibido/aparecer/aparece/ingresado/\
visto
dónde ~ está/queda ~ mi/mis/nuestro {MONEY}
sigo/seguimos/llevo/llevamos ~ esperando/reclamando ... {MONEY}
hay/aparecen/tengo/veo/salen ~ dos/tres ~ cargos/cobros/recibos/pagos
cargo/cobro/compra/pago/movimiento ... no_reconozco/no_hice/no_es_mío/no_autoricé/no_he_hecho/no_autorizado/fraudulento
cobran/cobráis/cobrando/cobrado/cobrando_me ... baja/cancelé/cancelado/dos_veces/otra_vez/de_nuevo/sin
siguen/seguís/continúan ~ cobrando/cargando/pasando/sacando
me/nos ~ deben/debéis
sirven/sirviendo/serviros ~ de ~ mi_cuenta
""",
    "repeated_contact": """
llevo/van/llevamos ~ dos/tres/cuatro/cinco/seis/siete/ocho/diez/varias/mil ~ llamadas/correos/mensajes/reclamaciones/intentos
tercer/cuarto/quinto/sexto/séptimo/décimo/enésimo ~ correo/mensaje/intento/aviso
tercera/cuarta/quinta/sexta/séptima/décima/enésima ~ llamada/vez/reclamación ~ que
cada_vez/siempre ~ tengo/hay ~ que ~ explicar*/contar*/empezar/repetir*
repetir/repito/contar/explicar ~ lo_mismo/la_misma ~ ?historia/vez/a
prometen/prometieron/dicen ... llamar/llaman/avisan/responder ... nada/nunca/nadie/mañana
en ~ abril/mayo/junio/julio/marzo ... en ~ mayo/junio/julio/agosto/septiembre ~ ?otra_vez/nada/y/sigo
sin ~ respuesta/contestación ~ a ~ mis/ninguno/ninguna
""",
}

UNLESS: dict[Urgency, str] = {}
